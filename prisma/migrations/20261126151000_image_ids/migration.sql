-- Every id that an image ever had: it is not given again, as what still names it would come to mean another's bytes.
CREATE TABLE "image_ids" (
    "id" UUID NOT NULL,

    CONSTRAINT "image_ids_pkey" PRIMARY KEY ("id")
);
INSERT INTO "image_ids" SELECT "id" FROM "images";
