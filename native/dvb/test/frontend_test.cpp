// The whole life of a frontend over a port that writes down what it is ordered.
#include "dvb/src/frontend.hpp"

#include <linux/dvb/frontend.h>

#include <future>
#include <string>
#include <thread>

#include "dvb/src/dvb_error.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::dvb;

struct Log {
    std::vector<std::string> orders;
    std::vector<Property> properties;
    RawStatistics raw;
    int failing = 0;
    bool destroyed = false;
    std::promise<void> begun;
};

class RecordedPort final : public FrontendPort {
 public:
    explicit RecordedPort(Log& log) : log_(log) {}
    ~RecordedPort() override { log_.destroyed = true; }
    void SetProperties(std::span<const Property> properties) override {
        if (log_.failing != 0) {
            throw SystemFault("the driver does not tune", log_.failing);
        }
        log_.properties.assign(properties.begin(), properties.end());
        log_.orders.emplace_back("properties");
    }
    void SetVoltage(bool high) override {
        if (log_.orders.empty()) {
            log_.begun.set_value();
        }
        log_.orders.emplace_back(high ? "18 V" : "13 V");
    }
    void SetTone(bool on) override { log_.orders.emplace_back(on ? "tone on" : "tone off"); }
    void SendBurst(bool second) override { log_.orders.emplace_back(second ? "burst b" : "burst a"); }
    void SendMessage(std::span<const uint8_t> message) override {
        log_.orders.emplace_back("message of " + std::to_string(message.size()));
    }
    RawStatistics ReadStatistics() override { return log_.raw; }

 private:
    Log& log_;
};

const Tuning kTransponder{.system = "DVB-S2", .frequencyKhz = 11'727'500, .symbolRate = 27'500'000};

std::string CodeOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const DvbError& error) {
        return error.code();
    }
    return "";
}

void OrdersTheAntennaThenTheDriver() {
    Log log;
    Frontend frontend(std::make_unique<RecordedPort>(log));
    frontend.Tune(kTransponder, {.committed = 2, .burst = 0});
    CHECK((log.orders ==
           std::vector<std::string>{"13 V", "tone off", "message of 4", "burst a", "tone on", "properties"}));
    CHECK(log.properties == TuningProperties(kTransponder, 1'127'500));
    log.raw = {.status = FE_HAS_LOCK,
               .postErrors = {Measure::Scale::counter, 1},
               .postBits = {Measure::Scale::counter, 10}};
    CHECK(frontend.ReadStatistics().locked);
    CHECK(!frontend.ReadStatistics().bitErrorRatio);
    // A new tuning counts from nothing, as the driver does.
    frontend.Tune(kTransponder, {});
    CHECK(frontend.ReadStatistics().bitErrorRatio == 0.1);
}

void SaysWhatTheDriverSays() {
    for (const auto& [error, code] :
         std::initializer_list<std::pair<int, const char*>>{{EINVAL, "NATIVE_DVB_REFUSED"},
                                                            {ENODEV, "NATIVE_DVB_GONE"},
                                                            {EBUSY, "NATIVE_DVB_BUSY"},
                                                            {EACCES, "NATIVE_DVB_DENIED"},
                                                            {EIO, "NATIVE_DVB_IO"}}) {
        Log log;
        log.failing = error;
        Frontend frontend(std::make_unique<RecordedPort>(log));
        CHECK(CodeOf([&] { frontend.Tune(kTransponder, {}); }) == code);
    }
}

void OrdersNothingThatIsWrong() {
    Log log;
    Frontend frontend(std::make_unique<RecordedPort>(log));
    Tuning wrong = kTransponder;
    wrong.codeRate = "7/3";
    CHECK(CodeOf([&] { frontend.Tune(wrong, {}); }) == "NATIVE_DVB_ARGUMENT");
    CHECK(log.orders.empty());
}

void CloseEndsAWaitingTune() {
    Log log;
    Frontend frontend(std::make_unique<RecordedPort>(log));
    auto tuning = std::async(std::launch::async, [&] {
        return CodeOf([&] { frontend.Tune(kTransponder, {.committed = 0, .uncommitted = 0, .burst = 0}); });
    });
    log.begun.get_future().wait();
    frontend.Close();
    const std::string code = tuning.get();
    CHECK(code == "NATIVE_DVB_CLOSED" && log.destroyed && log.properties.empty());
    frontend.Close();
    CHECK(CodeOf([&] { frontend.ReadStatistics(); }) == "NATIVE_DVB_CLOSED");
    CHECK(CodeOf([&] { frontend.Tune(kTransponder, {}); }) == "NATIVE_DVB_CLOSED");
}

}  // namespace

int main() {
    OrdersTheAntennaThenTheDriver();
    SaysWhatTheDriverSays();
    OrdersNothingThatIsWrong();
    CloseEndsAWaitingTune();
    return 0;
}
