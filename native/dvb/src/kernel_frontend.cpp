#include "dvb/src/kernel_frontend.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "dvb/src/dvb_error.hpp"

extern "C" {
#include <libdvbv5/dvb-dev.h>
#include <libdvbv5/dvb-fe.h>
}

namespace streamverse::dvb {
namespace {

// The library would print; what matters comes back as errno.
void Silent(int, const char*, ...) {}

struct FreeDevices {
    void operator()(dvb_device* devices) const { dvb_dev_free(devices); }
};
using Devices = std::unique_ptr<dvb_device, FreeDevices>;

Devices FindDevices() {
    Devices devices(dvb_dev_alloc());
    if (!devices) {
        throw DvbError("NATIVE_DVB_IO", "no memory for the list of devices");
    }
    dvb_dev_set_log(devices.get(), 0, Silent);
    // A machine without udev's tree has no devices, which is no error.
    dvb_dev_find(devices.get(), nullptr, nullptr);
    return devices;
}

std::string Text(const char* text) {
    return text == nullptr ? "" : text;
}

const char* NameOf(uint32_t system) {
    switch (system) {
        case SYS_DVBS:
            return "DVB-S";
        case SYS_DVBS2:
            return "DVB-S2";
        case SYS_DVBT:
            return "DVB-T";
        case SYS_DVBT2:
            return "DVB-T2";
        case SYS_DVBC_ANNEX_A:
            return "DVB-C";
        default:
            return nullptr;
    }
}

// Of satellites, the kernel's numbers are thousandths of what they are elsewhere.
FrontendFacts Describe(const dvb_v5_fe_parms& parameters) {
    FrontendFacts facts;
    facts.name = parameters.info.name;
    for (int index = 0; index < parameters.num_systems; ++index) {
        if (const char* name = NameOf(parameters.systems[index])) {
            facts.systems.emplace_back(name);
            facts.satellite |= facts.systems.back().starts_with("DVB-S");
        }
    }
    const uint32_t unit = dvb_fe_is_satellite(parameters.current_sys) != 0 ? 1 : 1000;
    facts.frequencyKhzMin = parameters.info.frequency_min / unit;
    facts.frequencyKhzMax = parameters.info.frequency_max / unit;
    facts.symbolRateMin = parameters.info.symbol_rate_min;
    facts.symbolRateMax = parameters.info.symbol_rate_max;
    facts.multistream = (parameters.info.caps & FE_CAN_MULTISTREAM) != 0;
    return facts;
}

FrontendFacts Ask(dvb_device* devices, const dvb_dev_list& device) {
    FrontendFacts facts;
    dvb_open_descriptor* open = dvb_dev_open(devices, device.sysname, O_RDONLY);
    if (open != nullptr) {
        facts = Describe(*devices->fe_parms);
        dvb_dev_close(open);
    }
    facts.bus = Text(device.bus_addr);
    return facts;
}

Measure Convert(dvb_v5_fe_parms* parameters, unsigned command) {
    const dtv_stats* stats = dvb_fe_retrieve_stats_layer(parameters, command, 0);
    if (stats == nullptr) {
        return {};
    }
    switch (stats->scale) {
        case FE_SCALE_DECIBEL:
            return {Measure::Scale::decibel, stats->svalue};
        case FE_SCALE_RELATIVE:
            return {Measure::Scale::relative, static_cast<int64_t>(stats->uvalue)};
        case FE_SCALE_COUNTER:
            return {Measure::Scale::counter, static_cast<int64_t>(stats->uvalue)};
        default:
            return {};
    }
}

class KernelFrontend final : public FrontendPort {
 public:
    KernelFrontend(Devices devices, const char* name) : devices_(std::move(devices)) {
        errno = 0;
        open_ = dvb_dev_open(devices_.get(), name, O_RDWR);
        if (open_ == nullptr) {
            throw SystemFault(std::string("the frontend ") + name + " cannot be opened",
                              errno == 0 ? EIO : errno);
        }
    }
    ~KernelFrontend() override { dvb_dev_close(open_); }
    KernelFrontend(const KernelFrontend&) = delete;
    KernelFrontend& operator=(const KernelFrontend&) = delete;

    void SetProperties(std::span<const Property> properties) override {
        std::vector<dtv_property> list(properties.size());
        for (size_t index = 0; index < list.size(); ++index) {
            list[index].cmd = properties[index].command;
            list[index].u.data = properties[index].value;
        }
        dtv_properties order{.num = static_cast<uint32_t>(list.size()), .props = list.data()};
        int result = 0;
        do {
            result = ioctl(dvb_dev_get_fd(open_), FE_SET_PROPERTY, &order);
        } while (result != 0 && errno == EINTR);
        Check(result == 0 ? 0 : errno, "the driver does not tune");
    }
    void SetVoltage(bool high) override {
        Check(dvb_fe_sec_voltage(parameters(), 1, high ? 1 : 0), "the LNB's supply cannot be set");
    }
    void SetTone(bool on) override {
        Check(dvb_fe_sec_tone(parameters(), on ? SEC_TONE_ON : SEC_TONE_OFF),
              "the 22 kHz tone cannot be set");
    }
    void SendBurst(bool second) override {
        Check(dvb_fe_diseqc_burst(parameters(), second ? 1 : 0), "the tone burst cannot be sent");
    }
    void SendMessage(std::span<const uint8_t> message) override {
        Check(dvb_fe_diseqc_cmd(parameters(), static_cast<unsigned>(message.size()), message.data()),
              "the DiSEqC message cannot be sent");
    }
    RawStatistics ReadStatistics() override {
        errno = 0;
        Check(dvb_fe_get_stats(parameters()), "the frontend tells no statistics");
        RawStatistics raw;
        dvb_fe_retrieve_stats(parameters(), DTV_STATUS, &raw.status);
        raw.strength = Convert(parameters(), DTV_STAT_SIGNAL_STRENGTH);
        raw.noise = Convert(parameters(), DTV_STAT_CNR);
        raw.preErrors = Convert(parameters(), DTV_STAT_PRE_ERROR_BIT_COUNT);
        raw.preBits = Convert(parameters(), DTV_STAT_PRE_TOTAL_BIT_COUNT);
        raw.postErrors = Convert(parameters(), DTV_STAT_POST_ERROR_BIT_COUNT);
        raw.postBits = Convert(parameters(), DTV_STAT_POST_TOTAL_BIT_COUNT);
        raw.blockErrors = Convert(parameters(), DTV_STAT_ERROR_BLOCK_COUNT);
        raw.blocks = Convert(parameters(), DTV_STAT_TOTAL_BLOCK_COUNT);
        return raw;
    }

 private:
    dvb_v5_fe_parms* parameters() const { return devices_->fe_parms; }

    // The library answers errno, some of its releases negated, or -1 and leaves it where it was.
    static void Check(int result, const char* what) {
        if (result != 0) {
            throw SystemFault(what, result == -1 ? errno : std::abs(result));
        }
    }

    Devices devices_;
    dvb_open_descriptor* open_ = nullptr;
};

}  // namespace

std::vector<FrontendFacts> ListFrontends() {
    std::vector<FrontendFacts> list;
    const Devices devices = FindDevices();
    for (int index = 0; index < devices->num_devices; ++index) {
        const dvb_dev_list& device = devices->devices[index];
        unsigned adapter = 0;
        unsigned frontend = 0;
        if (device.dvb_type == DVB_DEVICE_FRONTEND && device.sysname != nullptr &&
            std::sscanf(device.sysname, "dvb%u.frontend%u", &adapter, &frontend) == 2) {
            // One device of the library holds one open frontend.
            const Devices own = FindDevices();
            FrontendFacts facts = Ask(own.get(), device);
            facts.adapter = adapter;
            facts.frontend = frontend;
            list.push_back(std::move(facts));
        }
    }
    return list;
}

std::unique_ptr<FrontendPort> OpenKernelFrontend(uint32_t adapter, uint32_t frontend) {
    Devices devices = FindDevices();
    const std::string name = "dvb" + std::to_string(adapter) + ".frontend" + std::to_string(frontend);
    // dvb_dev_seek_by_adapter leaks the name of what it does not find.
    const std::span found(devices->devices, static_cast<size_t>(devices->num_devices));
    if (std::ranges::none_of(found,
                             [&](const dvb_dev_list& device) { return Text(device.sysname) == name; })) {
        throw SystemFault("there is no " + name, ENOENT);
    }
    return std::make_unique<KernelFrontend>(std::move(devices), name.c_str());
}

}  // namespace streamverse::dvb
