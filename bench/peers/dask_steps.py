"""Functions on workers of dask.distributed: as many processes as the machine has cores, kept for all of them."""

import os
import sys


def f(n):
    print(n)
    return n


if __name__ == "__main__":
    from dask.distributed import Client, LocalCluster

    with LocalCluster(n_workers=os.cpu_count(), threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.gather(client.map(f, range(int(sys.argv[1])), pure=False))
