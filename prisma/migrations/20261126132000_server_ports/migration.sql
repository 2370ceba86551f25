-- The server whose interface it is: written by what makes and unmakes servers alone, whatever `device_id` is said to be.
ALTER TABLE "ports" ADD COLUMN "server_id" UUID;
-- By which the guest may tell the interface from others.
ALTER TABLE "ports" ADD COLUMN "device_tag" TEXT;

CREATE INDEX "ports_server_id_idx" ON "ports"("server_id");
