-- How many rows a sweep is about: the open ones and those closed since $1; how many of them are open; and
-- since when there is a row among them of which no execution is known although its execution would be this sweep's business (asked apart, so
-- that it is a join and no question for each row); how many of them have a status that nobody knows, and some of these statuses; how many have times in the future, and by how many seconds at the most.
SELECT count(*),
       count(*) FILTER (WHERE {status} IN ({open})),
       (SELECT min({read created_at}) FROM {rows} p
         WHERE ({status} IN ({open}) OR coalesce({completed_at}, {updated_at}) > $1)
           AND {looked for}
           AND NOT EXISTS (SELECT FROM remediation.executions e WHERE e.process_id = {id text})),
       count(*) FILTER (WHERE {unknown}),
       coalesce((array_agg(DISTINCT left(coalesce({status}::text, 'NULL'), 100)) FILTER (WHERE {unknown}))[1:5], '{}'),
       count(*) FILTER (WHERE greatest({read created_at}, {read updated_at}) > now() + interval '5 minutes'),
       extract(epoch FROM max(greatest({read created_at}, {read updated_at})) - now())::int8
  FROM {rows} p
 WHERE {status} IN ({open}) OR coalesce({completed_at}, {updated_at}) > $1
