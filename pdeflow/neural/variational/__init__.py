"""The primal-dual (variational) JKO method, part by part."""
