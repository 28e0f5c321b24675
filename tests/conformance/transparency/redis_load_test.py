"""Deep pipelines and many connections through the idle proxy: every command is decoded."""

import subprocess
import unittest

from redis_test import RedisTransparency


class LoadTest(RedisTransparency):
    record_all = False

    def benchmark(self, *arguments):
        def run(port):
            done = subprocess.run(["redis-benchmark", "-p", str(port), "--csv", "-q", *arguments],
                                  capture_output=True, text=True, timeout=200)
            self.assertEqual(done.returncode, 0, done.stderr)
            return [line.split(",")[0] for line in done.stdout.splitlines()]
        return self.same(run)

    def test_512_commands_in_flight(self):
        self.assertEqual(len(self.benchmark("-P", "512", "-n", "51200", "-t", "set,get")), 3)

    def test_200_connections(self):
        self.assertEqual(len(self.benchmark("-c", "200", "-n", "4000", "-t", "set,get,incr")), 4)

    def test_200_connections_with_pipelines_of_512(self):
        self.benchmark("-c", "200", "-P", "512", "-n", "204800", "-t", "set,lpush", "-r", "1000")


if __name__ == "__main__":
    unittest.main(verbosity=2)
