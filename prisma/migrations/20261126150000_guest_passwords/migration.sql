-- What guests set as their passwords, for their owners to read (os-server-password).
CREATE TABLE "guest_passwords" (
    "server_id" UUID NOT NULL,
    -- Of the guest that set it.
    "incarnation" INTEGER NOT NULL,
    -- As the guest gave it, mostly sealed with its owner's key; null once it was cleared.
    "password" TEXT,
    -- How many were cleared: what a guest set before says nothing any more.
    "clears" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "guest_passwords_pkey" PRIMARY KEY ("server_id")
);
ALTER TABLE "guest_passwords" ADD FOREIGN KEY ("server_id") REFERENCES "servers"("id") ON DELETE CASCADE;
