-- Keys of several algorithms, each with a successor that is published before it signs.

drop index signing_keys_one_active;

-- Whatever goes wrong, an algorithm never has two keys that sign, nor two that wait.
create unique index signing_keys_one_active on signing_keys (alg) where state = 'active';
create unique index signing_keys_one_next on signing_keys (alg) where state = 'next';
