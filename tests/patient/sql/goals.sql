-- What the processes work for: a goal has sub-goals, a sub-goal has actions; each may be the target of a process.
CREATE TABLE {schema}.goals (
    id uuid PRIMARY KEY,
    {user_id} uuid NOT NULL,
    title text NOT NULL,
    status {goal status type} NOT NULL DEFAULT 'ACTIVE',
    progress smallint NOT NULL DEFAULT 0,
    {created_at} {time type} NOT NULL DEFAULT now(),
    {updated_at} {time type} NOT NULL
);
CREATE TABLE {schema}.sub_goals (
    id uuid PRIMARY KEY,
    {goal_id} uuid NOT NULL REFERENCES {schema}.goals,
    title text NOT NULL,
    position smallint NOT NULL,
    progress smallint NOT NULL DEFAULT 0,
    {created_at} {time type} NOT NULL DEFAULT now(),
    {updated_at} {time type} NOT NULL
);
CREATE TABLE {schema}.actions (
    id uuid PRIMARY KEY,
    {sub_goal_id} uuid NOT NULL REFERENCES {schema}.sub_goals,
    title text NOT NULL,
    position smallint NOT NULL,
    progress smallint NOT NULL DEFAULT 0,
    {created_at} {time type} NOT NULL DEFAULT now(),
    {updated_at} {time type} NOT NULL
);
