"""getihu: a city serves all its sole traders (个体工商户) through their whole life."""
