"""The maps that neural schemes train: gradients of convex networks, affine and residual maps, parametric families."""
