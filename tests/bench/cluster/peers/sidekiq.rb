# What Sidekiq does on a Redis: bulk pushes, work with ten threads (its default), and how soon a job starts when all is
# idle. ruby sidekiq.rb PORT JOBS. Prints a name and a figure a line.
require "sidekiq"
require "sidekiq/cli"
require "sidekiq/launcher"

PORT, JOBS = ARGV.map(&:to_i)
Sidekiq.logger.level = Logger::ERROR
# That version and its client disagree about what is deprecated, a line a command.
Redis.silence_deprecations = true if Redis.respond_to?(:silence_deprecations=)
url = "redis://127.0.0.1:#{PORT}/0"
Sidekiq.configure_server { |config| config.redis = { url: url, size: 15 } }
Sidekiq.configure_client { |config| config.redis = { url: url, size: 15 } }
Sidekiq.redis = { url: url, size: 15 }

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

def print_figure(name, figure)
  puts format("%s %.3f", name, figure)
  $stdout.flush
end

STARTS = Queue.new
LEFT = Queue.new

class Nothing
  include Sidekiq::Worker
  def perform(_payload)
    LEFT << 1
  end
end

class Start
  include Sidekiq::Worker
  def perform(_payload)
    STARTS << now
  end
end

PAYLOAD = "x" * 240

begun = now
(JOBS / 1000).times { Sidekiq::Client.push_bulk("class" => Nothing, "args" => Array.new(1000) { [PAYLOAD] }) }
print_figure("bulk", JOBS / 1000 * 1000 / (now - begun))
Sidekiq.redis { |redis| redis.ltrim("queue:default", 0, JOBS / 4 - 1) }

options = Sidekiq.options.merge(queues: ["default"], concurrency: 10, timeout: 5)
launcher = Sidekiq::Launcher.new(options)
begun = now
launcher.run
(JOBS / 4).times { LEFT.pop }
print_figure("work", JOBS / 4 / (now - begun))

times = Array.new(320) do
  sleep 0.005
  begun = now
  Start.perform_async(PAYLOAD)
  (STARTS.pop - begun) * 1000
end
# The first ones meet code that is not compiled yet.
sorted = times.drop(20).sort
print_figure("start", sorted[150])
print_figure("start p99", sorted[297])
launcher.stop
