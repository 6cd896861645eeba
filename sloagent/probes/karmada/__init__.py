"""How long Karmada takes to distribute resources and to register clusters, seen from outside by watches."""
