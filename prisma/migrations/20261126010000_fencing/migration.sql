-- What lay on a host when it was fenced, and was given up since: to be removed there before the host may do anything again.
-- No reference to the host: a host that was forgotten and comes back is told all the same.
CREATE TABLE "abandoned_guests" (
    "server_id" UUID NOT NULL,
    "incarnation" INTEGER NOT NULL,
    "host_id" UUID NOT NULL,
    "fencing_epoch" INTEGER NOT NULL,
    "abandoned_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "abandoned_guests_pkey" PRIMARY KEY ("server_id", "incarnation")
);

CREATE INDEX "abandoned_guests_host_id_idx" ON "abandoned_guests"("host_id");

ALTER TABLE "allocations" ADD COLUMN "interrupted" BOOLEAN NOT NULL DEFAULT false;

-- What a fence leaves to settle is found by host.
CREATE INDEX "operation_steps_open_by_host" ON "operation_steps"("host_id") WHERE "state" = 'open';
