"""A project of Kedro with two nodes, for argo-kedro."""
