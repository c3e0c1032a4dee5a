 WHERE {id} > $1::{id type}
   AND {is failed} AND coalesce({completed_at}, {updated_at}) > $3
 ORDER BY {id}
 LIMIT $2
