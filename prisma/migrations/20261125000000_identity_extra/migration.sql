-- What clients keep with a project or a user and Keystone itself does not know (`--property` of the real client).
ALTER TABLE "projects" ADD COLUMN "extra" JSONB NOT NULL DEFAULT '{}';
ALTER TABLE "users" ADD COLUMN "extra" JSONB NOT NULL DEFAULT '{}';
