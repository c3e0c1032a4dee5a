CREATE TABLE "ConsignmentStatus" (
    "ConsignmentStatusId" uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    "ConsignmentId"       uuid NOT NULL,
    "StatusType"          text NOT NULL,
    "Value"               text NOT NULL,
    "CreatedDatetime"     timestamptz NOT NULL DEFAULT now(),
    "ModifiedDatetime"    timestamptz,
    UNIQUE ("ConsignmentId", "StatusType")
);
