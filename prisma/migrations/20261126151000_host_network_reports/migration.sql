-- Which report of a host its networks' state is from: one that it sent before cannot take its place.
ALTER TABLE "host_networks" ADD COLUMN "seen_session" UUID, ADD COLUMN "seen_sequence" BIGINT NOT NULL DEFAULT 0;
