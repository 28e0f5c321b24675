CREATE TABLE orders (id serial PRIMARY KEY, item text NOT NULL);
CREATE TABLE outbox (order_id int PRIMARY KEY);
CREATE TABLE shipments (id serial PRIMARY KEY, order_id int NOT NULL);
