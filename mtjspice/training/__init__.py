"""Networks of crossbars trained in place: data sets, networks, update rules, scenarios and the loop."""
