"""Work in batches over processes or a dask cluster: seeds by key, progress, resume. Knows nothing of what it runs."""
