#include "push-simulator/auth_service.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fakes/manual_clock.hpp"
#include "push-simulator/user_service.hpp"

namespace notify::simulator {
namespace {

constexpr const char* kUser = "00000000-0000-4000-8000-00000000000a";
constexpr const char* kPhoneId = "00000000-0000-4000-8000-0000000000d1";

/// The real service on a real socket, and a client of it.
class Auth : public ::testing::Test {
 protected:
  Auth() : service_({registry_, faults_, stats_, clock_, &users_}) {
    Device phone;
    phone.id = *base::DeviceId::parse(kPhoneId);
    phone.token = "aa";
    phone.app_id = "com.example.app";
    phone.registered_at = clock_.now();
    registry_.replace_user(*base::UserId::parse(kUser), {phone});
    const auto port = service_.start("127.0.0.1:0");
    EXPECT_TRUE(port);
    const auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(*port),
                                             grpc::InsecureChannelCredentials());
    stub_ = auth::AuthService::NewStub(channel);
    users_stub_ = user::UserService::NewStub(channel);
  }
  ~Auth() override { service_.stop(); }

  struct Answer {
    grpc::Status status;
    auth::GetUserDevicesResponse response;
  };
  Answer devices_of(const char* user, std::chrono::milliseconds patience = kPatience) {
    Answer answer;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience);
    auth::GetUserDevicesRequest request;
    request.set_user_id(user);
    answer.status = stub_->GetUserDevices(&context, request, &answer.response);
    return answer;
  }
  void add_fault(const char* text) {
    ASSERT_TRUE(faults_.add(*parse_fault(nlohmann::json::parse(text))));
  }

  static constexpr std::chrono::milliseconds kPatience{10'000};
  fakes::ManualClock clock_;
  Registry registry_;
  FaultBook faults_;
  AuthStats stats_;
  UnknownUsers unknown_;
  CallStats user_calls_;
  UserService users_{{unknown_, faults_, user_calls_}};
  AuthService service_;
  std::unique_ptr<auth::AuthService::Stub> stub_;
  std::unique_ptr<user::UserService::Stub> users_stub_;
};

TEST_F(Auth, TellsAUsersDevices) {
  const Answer answer = devices_of(kUser);
  ASSERT_TRUE(answer.status.ok());
  ASSERT_EQ(answer.response.devices_size(), 1);
  const auth::Device& phone = answer.response.devices(0);
  EXPECT_EQ(phone.id(), kPhoneId);
  EXPECT_EQ(phone.user_id(), kUser);
  EXPECT_EQ(phone.token(), "aa");
  EXPECT_EQ(phone.platform(), auth::PLATFORM_IOS);
  EXPECT_EQ(phone.environment(), auth::ENVIRONMENT_PRODUCTION);
  EXPECT_EQ(phone.registered_at().seconds(), 1'790'000'000);
  EXPECT_TRUE(phone.is_active());
  EXPECT_GT(answer.response.version(), 0);
}

TEST_F(Auth, TellsBesideWhoExists) {
  const auto validate = [this](const char* id) {
    grpc::ClientContext context;
    user::ValidateUserRequest request;
    request.set_user_id(id);
    user::ValidateUserResponse response;
    const auto status = users_stub_->ValidateUser(&context, request, &response);
    return std::pair(status.error_code(), response.valid());
  };
  EXPECT_EQ(validate(kUser), std::pair(grpc::StatusCode::OK, true));
  unknown_.set(*base::UserId::parse(kUser), false);
  EXPECT_EQ(validate(kUser), std::pair(grpc::StatusCode::OK, false));
  EXPECT_EQ(validate("anna").first, grpc::StatusCode::INVALID_ARGUMENT);
  add_fault(R"({"target":"user","grpc_status":"UNAVAILABLE"})");
  EXPECT_TRUE(devices_of(kUser).status.ok()) << "it is the other one's";
  EXPECT_EQ(validate(kUser).first, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(user_calls_.stats()["ValidateUser"]["OK"], 2);
}

TEST_F(Auth, RefusesWhatIsNoUuid) {
  EXPECT_EQ(devices_of("anna").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(Auth, KnowsNoStrangeDevice) {
  grpc::ClientContext context;
  auth::GetDeviceInfoRequest request;
  auth::GetDeviceInfoResponse response;
  request.set_device_id(kUser);
  EXPECT_EQ(stub_->GetDeviceInfo(&context, request, &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(Auth, DeactivatesAReportedDevice) {
  grpc::ClientContext context;
  auth::ReportInvalidTokenRequest request;
  auth::ReportInvalidTokenResponse response;
  request.set_device_id(kPhoneId);
  request.set_token("aa");
  request.set_reason("Unregistered");
  EXPECT_TRUE(stub_->ReportInvalidToken(&context, request, &response).ok());
  EXPECT_FALSE(devices_of(kUser).response.devices(0).is_active());
  EXPECT_EQ(stats_.stats()["devices_deactivated"], 1);
}

TEST_F(Auth, FailsOnceWhenTold) {
  add_fault(R"({"target":"auth","method":"GetUserDevices","grpc_status":"UNAVAILABLE"})");
  EXPECT_EQ(devices_of(kUser).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(devices_of(kUser).status.ok());
  EXPECT_EQ(stats_.stats()["calls"]["GetUserDevices"]["UNAVAILABLE"], 1);
}

TEST_F(Auth, AnswersLateWhenTold) {
  add_fault(R"({"target":"auth","delay_ms":50})");
  const auto start = std::chrono::steady_clock::now();
  const Answer answer = devices_of(kUser);
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.response.devices_size(), 1);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(45));
}

TEST_F(Auth, HangsUntilTheCallerGivesUp) {
  add_fault(R"({"target":"auth","hang":true})");
  EXPECT_EQ(devices_of(kUser, std::chrono::milliseconds(100)).status.error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(devices_of(kUser).status.ok());
}

TEST_F(Auth, GivesUpALateAnswerWithItsCaller) {
  add_fault(R"({"target":"auth","delay_ms":60000})");
  EXPECT_EQ(devices_of(kUser, std::chrono::milliseconds(100)).status.error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
}

}  // namespace
}  // namespace notify::simulator
