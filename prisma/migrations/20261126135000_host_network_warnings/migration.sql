-- What a host does of its networks, and worse than it could: an underlay that is too narrow.
ALTER TABLE "host_networks" ADD COLUMN "warning" TEXT;
