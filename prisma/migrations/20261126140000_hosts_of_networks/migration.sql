-- A host that is deleted carries nothing: what was bound to it is bound nowhere, however its end races with what binds.
UPDATE "ports" p SET "host_id" = NULL, "plan_revision" = NULL
WHERE "host_id" IS NOT NULL AND NOT EXISTS (SELECT FROM "hosts" h WHERE h."id" = p."host_id");
UPDATE "routers" r SET "host_id" = NULL, "plan_revision" = NULL
WHERE "host_id" IS NOT NULL AND NOT EXISTS (SELECT FROM "hosts" h WHERE h."id" = r."host_id");
UPDATE "routers" r SET "left_host_id" = NULL, "plan_revision" = NULL
WHERE "left_host_id" IS NOT NULL AND NOT EXISTS (SELECT FROM "hosts" h WHERE h."id" = r."left_host_id");
DELETE FROM "host_networks" n WHERE NOT EXISTS (SELECT FROM "hosts" h WHERE h."id" = n."host_id");

CREATE INDEX "routers_left_host_id_idx" ON "routers"("left_host_id");
ALTER TABLE "ports" ADD FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE SET NULL;
ALTER TABLE "routers" ADD FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE SET NULL;
ALTER TABLE "routers" ADD FOREIGN KEY ("left_host_id") REFERENCES "hosts"("id") ON DELETE SET NULL;
ALTER TABLE "host_networks" ADD FOREIGN KEY ("host_id") REFERENCES "hosts"("id") ON DELETE CASCADE;
