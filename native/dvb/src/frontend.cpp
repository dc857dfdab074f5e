#include "dvb/src/frontend.hpp"

#include <chrono>

#include "dvb/src/dvb_error.hpp"

namespace streamverse::dvb {

void Frontend::RequireOpen() const {
    if (!port_) {
        throw DvbError("NATIVE_DVB_CLOSED", "the tuner is closed");
    }
}

void Frontend::Tune(const Tuning& tuning, const Antenna& antenna) {
    const AntennaPlan plan = PlanAntenna(tuning, antenna);
    const std::vector<Property> properties = TuningProperties(tuning, plan.tunerKhz);
    const std::lock_guard device(deviceMutex_);
    RequireOpen();
    for (const ControlStep& step : plan.steps) {
        Do(step);
    }
    port_->SetProperties(properties);
    reader_ = {};
}

Statistics Frontend::ReadStatistics() {
    const std::lock_guard device(deviceMutex_);
    RequireOpen();
    return reader_.Read(port_->ReadStatistics());
}

void Frontend::Close() {
    {
        const std::lock_guard wait(waitMutex_);
        closing_ = true;
    }
    waiting_.notify_all();
    const std::lock_guard device(deviceMutex_);
    port_.reset();
}

void Frontend::Do(const ControlStep& step) {
    if (const auto* voltage = std::get_if<SetVoltage>(&step)) {
        port_->SetVoltage(voltage->high);
    } else if (const auto* tone = std::get_if<SetTone>(&step)) {
        port_->SetTone(tone->on);
    } else if (const auto* burst = std::get_if<SendBurst>(&step)) {
        port_->SendBurst(burst->second);
    } else if (const auto* message = std::get_if<SendMessage>(&step)) {
        port_->SendMessage(message->bytes);
    } else {
        Pause(std::get<Wait>(step).ms);
    }
}

void Frontend::Pause(uint32_t ms) {
    std::unique_lock wait(waitMutex_);
    if (waiting_.wait_for(wait, std::chrono::milliseconds(ms), [this] { return closing_; })) {
        throw DvbError("NATIVE_DVB_CLOSED", "the tuner was closed while it tuned");
    }
}

}  // namespace streamverse::dvb
