-- What operators say of the program that carries a host's networks.
ALTER TABLE "hosts" ADD COLUMN "network_description" TEXT NOT NULL DEFAULT '';
