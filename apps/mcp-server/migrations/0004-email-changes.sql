-- When an address became another one; null = not since this was first kept. Mail that people approved goes to addresses that
-- are still those of the time when it was asked for.
alter table customers add column email_changed_at timestamptz;
