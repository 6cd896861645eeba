"""Charts of a report: what they show as plain data, drawn by Vega as a still picture and as one that can be explored."""
