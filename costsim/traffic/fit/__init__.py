"""Models of traffic fitted to a log: one module an estimator."""
