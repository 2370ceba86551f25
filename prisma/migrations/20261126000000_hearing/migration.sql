-- How long hosts could be heard, in all: what their silence is measured by. It stands still while we are deaf.
CREATE TABLE "hearing" (
    "only" BOOLEAN NOT NULL DEFAULT true,
    "heard_ms" BIGINT NOT NULL DEFAULT 0,
    "marked_at" TIMESTAMPTZ(6),

    CONSTRAINT "hearing_pkey" PRIMARY KEY ("only")
);

ALTER TABLE "hearing" ADD CHECK ("only");
INSERT INTO "hearing" DEFAULT VALUES;

ALTER TABLE "hosts" ADD COLUMN "heard_ms" BIGINT NOT NULL DEFAULT 0;
