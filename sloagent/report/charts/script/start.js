// All charts of the page, each drawn once it comes near the window.

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const chart = charts.find((one) => one.figure === entry.target);
      chart.near = entry.isIntersecting;
      if (chart.near) chart.drawing ??= chart.draw();
    }
    follow();
  },
  { rootMargin: NEAR },
);
for (const script of document.querySelectorAll("script[data-chart]")) {
  const figure = document.getElementById(script.dataset.chart);
  if (!figure || !globalThis.vegaEmbed) continue;
  charts.push(new Chart(figure, script));
  seen.observe(figure);
}
