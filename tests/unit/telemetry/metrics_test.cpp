#include "telemetry/metrics.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

namespace notify::telemetry {
namespace {

bool has(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, InstrumentsShowWhatWasCounted) {
  MetricRegistry registry;
  registry.counter({"x_total", "X."}).add(2);
  registry.gauge({"y", "Y.", {{"a", "b"}}}).set(3);
  const Histogram histogram = registry.histogram({"z_seconds", "Z."}, latency_buckets());
  histogram.observe(std::chrono::milliseconds(2));
  const std::string text = registry.render();
  EXPECT_TRUE(has(text, "x_total 2")) << text;
  EXPECT_TRUE(has(text, "y{a=\"b\"} 3")) << text;
  EXPECT_TRUE(has(text, "z_seconds_bucket{le=\"0.001\"} 0")) << text;
  EXPECT_TRUE(has(text, "z_seconds_bucket{le=\"0.0025\"} 1")) << text;
  EXPECT_TRUE(has(text, "z_seconds_sum 0.002")) << text;
}

TEST(Metrics, UnknownLabelValuesMakeNoNewSeries) {
  MetricRegistry registry;
  const CounterBy by = registry.counter_by({"x_total", "X."}, "status", {"200", "500"});
  by.add("200");
  by.add("299");
  by.add("whatever a peer says");
  const std::string text = registry.render();
  EXPECT_TRUE(has(text, "x_total{status=\"200\"} 1")) << text;
  EXPECT_TRUE(has(text, "x_total{status=\"500\"} 0")) << text;
  EXPECT_TRUE(has(text, "x_total{status=\"other\"} 2")) << text;
}

TEST(Metrics, ErrorsAreCountedByCode) {
  MetricRegistry registry;
  const ErrorCounter errors = registry.error_counter({"x_errors_total", "X."});
  errors.add(base::Errc::invalid);
  errors.add(base::Errc::internal);
  EXPECT_EQ(errors.of(base::Errc::invalid).value(), 1);
  EXPECT_EQ(errors.of(base::Errc::internal).value(), 1);
  EXPECT_TRUE(has(registry.render(), "x_errors_total{code=\"other\"} 0"));
}

TEST(Metrics, SampledGaugesAreAskedAtEachScrapeUntilTheyEnd) {
  MetricRegistry registry;
  std::atomic<double> depth = 1;
  {
    const auto sampled = registry.sampled_gauge({"depth", "D."}, [&depth] { return depth.load(); });
    EXPECT_TRUE(has(registry.render(), "depth 1"));
    depth = 5;
    EXPECT_TRUE(has(registry.render(), "depth 5"));
  }
  depth = 9;
  EXPECT_FALSE(has(registry.render(), "depth 9"));
}

TEST(Metrics, CanBeCountedAndScrapedFromSeveralThreads) {
  MetricRegistry registry;
  const Counter counter = registry.counter({"x_total", "X."});
  const Histogram histogram = registry.histogram({"z_seconds", "Z."}, latency_buckets());
  const auto work = [&] {
    for (int i = 0; i < 1000; ++i) {
      counter.add();
      histogram.observe(0.001);
    }
  };
  std::thread one(work);
  std::thread two(work);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(registry.render().empty());
  one.join();
  two.join();
  EXPECT_EQ(counter.value(), 2000);
  EXPECT_TRUE(has(registry.render(), "z_seconds_count 2000"));
}

TEST(Metrics, PromtoolFindsNothingWrongWithTheList) {
  const std::string promtool = NOTIFY_PROMTOOL;
  if (promtool.empty()) GTEST_SKIP() << "promtool (package prometheus) is not installed";
  MetricRegistry registry;
  const Metrics metrics(registry, {"apns"});
  register_build_info(registry, "1.0.0", "abc");
  const auto path = std::filesystem::temp_directory_path() /
                    ("notify-metrics-" + std::to_string(getpid()) + ".txt");
  std::ofstream(path) << registry.render();
  const std::string command = promtool + " check metrics < " + path.string() + " 2>&1";
  std::string said;
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::array<char, 512> part{};
  while (std::fgets(part.data(), static_cast<int>(part.size()), pipe) != nullptr) {
    said += part.data();
  }
  EXPECT_EQ(pclose(pipe), 0) << said;
  EXPECT_EQ(said, "");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace notify::telemetry
