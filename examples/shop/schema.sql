CREATE TABLE orders (
  id       bigserial PRIMARY KEY,
  item     text NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0)
);

-- One row per charge. A client that is unsure sends a payment again with the same key.
CREATE TABLE payments (
  id              bigserial PRIMARY KEY,
  idempotency_key text UNIQUE,
  order_id        bigint NOT NULL REFERENCES orders,
  amount          integer NOT NULL CHECK (amount > 0)
);
