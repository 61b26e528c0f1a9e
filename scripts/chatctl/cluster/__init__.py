"""A real Kubernetes cluster of one node on a bare Linux machine, without a container engine.

`node` runs the node: one process tree in its own namespaces. `bootstrap` makes it a cluster: kubeadm, then the add-ons.
It is test infrastructure: kubeadm, containerd and CNI do the work, this package only puts them in place.
"""
