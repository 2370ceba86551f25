-- When somebody last judged deadlines: a gap is time in which the control plane, or PostgreSQL itself, was away, and moves them.
CREATE TABLE "deadline_watch" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "watched_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "deadline_watch_pkey" PRIMARY KEY ("id")
);

-- What Prisma's schema cannot say.

ALTER TABLE "deadline_watch" ADD CHECK ("id" = 1);
INSERT INTO "deadline_watch" DEFAULT VALUES;
