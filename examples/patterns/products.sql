CREATE TABLE products (id int PRIMARY KEY, price int NOT NULL);
INSERT INTO products VALUES (1, 5);
