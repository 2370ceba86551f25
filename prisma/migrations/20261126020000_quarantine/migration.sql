-- Why a host takes no new servers and removes nothing until a person has looked at it; null where it is trusted.
ALTER TABLE "hosts" ADD COLUMN "quarantine" TEXT;
-- The reason from which an operator released it, until it has registered without one.
ALTER TABLE "hosts" ADD COLUMN "quarantine_released" TEXT;
-- The agents that registered last: one that comes back after another had taken its place is a second one.
ALTER TABLE "hosts" ADD COLUMN "agent_id" UUID;
ALTER TABLE "hosts" ADD COLUMN "former_agent_id" UUID;
ALTER TABLE "hosts" ADD COLUMN "agent_returns" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "hosts" ADD COLUMN "twins" BOOLEAN NOT NULL DEFAULT false;
