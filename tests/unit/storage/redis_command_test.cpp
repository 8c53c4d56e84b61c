#include <gtest/gtest.h>
#include <hiredis/hiredis.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "storage/redis/command.hpp"
#include "storage/redis/script.hpp"
#include "storage/redis/slot.hpp"

namespace notify::redis {
namespace {

std::string encoded(const Command& command) {
  std::string bytes;
  command.encode_to(bytes);
  return bytes;
}

TEST(RedisCommand, IsAnArrayOfBulkStrings) {
  EXPECT_EQ(encoded(Command("SET").key("k").arg(std::int64_t{-12}).arg("")),
            "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n-12\r\n$0\r\n\r\n");
}

RC_GTEST_PROP(RedisCommand, IsWhatHiredisWouldSend, (const std::vector<std::string>& arguments)) {
  Command command("EVAL");
  std::vector<const char*> texts{"EVAL"};
  std::vector<std::size_t> sizes{4};
  for (const std::string& argument : arguments) {
    command.arg(std::string_view(argument));
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  char* theirs = nullptr;
  const int size =
      redisFormatCommandArgv(&theirs, static_cast<int>(texts.size()), texts.data(), sizes.data());
  RC_ASSERT(size > 0);
  const std::string expected(theirs, static_cast<std::size_t>(size));
  redisFreeCommand(theirs);
  RC_ASSERT(encoded(command) == expected);
}

TEST(RedisCommand, TheFirstKeyDecidesTheSlot) {
  EXPECT_FALSE(Command("PING").slot());
  EXPECT_EQ(Command("MGET").key("{a}1").key("b").slot(), key_slot("a"));
}

TEST(RedisSlot, IsCrc16Xmodem) { EXPECT_EQ(crc16("123456789"), 0x31C3); }

TEST(RedisSlot, HashesTheFirstNonEmptyTag) {
  EXPECT_EQ(key_slot("{user1000}.a"), key_slot("{user1000}.b"));
  EXPECT_EQ(key_slot("{user1000}.a"), key_slot("user1000"));
  EXPECT_EQ(key_slot("foo{}{bar}"), crc16("foo{}{bar}") % kSlots);
  EXPECT_EQ(key_slot("foo{{bar}}zap"), crc16("{bar") % kSlots);
  EXPECT_EQ(key_slot("foo{bar}{zap}"), crc16("bar") % kSlots);
  EXPECT_EQ(key_slot("foo{bar"), crc16("foo{bar") % kSlots);
  EXPECT_EQ(key_slot("{notification:queue:high}:inflight"), key_slot("notification:queue:high"));
}

TEST(RedisScript, IsNamedByItsSha1) {
  EXPECT_EQ(Script("return 1").sha1(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
  EXPECT_EQ(Script("").sha1(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

}  // namespace
}  // namespace notify::redis
