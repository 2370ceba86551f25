-- Where a router lived before, until that host has confirmed that it carries it no more: only then another one gets it.
ALTER TABLE "routers" ADD COLUMN "left_host_id" UUID;
