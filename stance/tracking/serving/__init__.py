"""The service: MLflow's scoring server on a registered model. HTTP requests with rows enter; their answers leave."""
