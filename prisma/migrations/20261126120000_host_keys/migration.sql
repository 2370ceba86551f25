-- The public keys by which hosts' reports are known: enrolled by an operator's word, one a host.
CREATE TABLE "host_keys" (
    "host_id" UUID NOT NULL,
    "public_key" TEXT NOT NULL,
    "enrolled_by" TEXT,
    "enrolled_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    -- The number of the last registration under this key: an older one is a repetition, whoever sends it.
    "last_registration" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "host_keys_pkey" PRIMARY KEY ("host_id")
);

-- What was told in a host's name and not believed, by reason: for the operator who wonders why a host is not heard.
CREATE TABLE "host_refusals" (
    "host_id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "count" BIGINT NOT NULL,
    "first_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "last_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "host_refusals_pkey" PRIMARY KEY ("host_id", "reason")
);
