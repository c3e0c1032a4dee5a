-- Takes back a statement that the application's table carried out by half, in the words that are to be told.
CREATE FUNCTION remediation.refuse(why text) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION '%', why;
END
$$;
