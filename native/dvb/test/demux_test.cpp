// The orders to a demultiplexer, as this process gives them to the kernel: its ioctl is ours here.
#include "dvb/src/demux.hpp"

#include <linux/dvb/dmx.h>
#include <linux/dvb/net.h>
#include <linux/ioctl.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "dvb/src/dvb_error.hpp"
#include "dvb/src/kernel_frontend.hpp"
#include "test/check.hpp"

namespace {

struct Order {
    unsigned long request;
    unsigned long value;
};
struct Kernel {
    std::vector<Order> orders;
    std::vector<dmx_pes_filter_params> filters;
    dmx_sct_filter_params section{};
    dvb_net_if interface {};
    int refuses = 0;  // the number of the order that is refused, from 1
} kernel;

}  // namespace

extern "C" int ioctl(int, unsigned long request, ...) noexcept {
    va_list arguments;
    va_start(arguments, request);
    const unsigned long value = va_arg(arguments, unsigned long);
    va_end(arguments);
    kernel.orders.push_back({request, value});
    if (static_cast<int>(kernel.orders.size()) == kernel.refuses) {
        errno = EINVAL;
        return -1;
    }
    if (request == DMX_SET_PES_FILTER) {
        kernel.filters.push_back(*reinterpret_cast<const dmx_pes_filter_params*>(value));
    } else if (request == DMX_SET_FILTER) {
        kernel.section = *reinterpret_cast<const dmx_sct_filter_params*>(value);
    } else if (request == NET_ADD_IF) {
        auto* interface = reinterpret_cast<dvb_net_if*>(value);
        interface->if_num = 3;
        kernel.interface = *interface;
    } else if (request == DMX_ADD_PID) {
        kernel.orders.back().value = *reinterpret_cast<const uint16_t*>(value);
    }
    return 0;
}

namespace {

using namespace streamverse::dvb;

// An adapter whose devices are files: what is ordered of them is told above.
class Adapter {
 public:
    Adapter() {
        std::string name = (std::filesystem::temp_directory_path() / "dvb-XXXXXX").string();
        CHECK(mkdtemp(name.data()) != nullptr);
        root_ = name;
        std::filesystem::create_directory(root_ / "adapter0");
        for (const char* device : {"demux0", "dvr0", "net0"}) {
            std::ofstream(root_ / "adapter0" / device) << "";
        }
        kernel = {};
    }
    ~Adapter() { std::filesystem::remove_all(root_); }
    DemuxPath path() const { return {.adapter = 0, .demux = 0, .root = root_.string()}; }

 private:
    std::filesystem::path root_;
};

std::string CodeOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const DvbError& error) {
        return error.code();
    }
    return "";
}

void FiltersSections() {
    const Adapter adapter;
    SectionFilter filter{.pid = 18};
    filter.value = {0x4E, 0x13, 0x89};
    filter.mask = {0xF0, 0xFF, 0xFF};
    CHECK(OpenSections(adapter.path(), filter, 65536).descriptors.size() == 1);
    CHECK(kernel.orders[0].request == DMX_SET_BUFFER_SIZE && kernel.orders[0].value == 65536);
    CHECK(kernel.section.pid == 18 && kernel.section.filter.filter[2] == 0x89);
    CHECK(kernel.section.filter.mask[0] == 0xF0 && kernel.section.filter.mask[3] == 0);
    CHECK(kernel.section.flags == (DMX_IMMEDIATE_START | DMX_CHECK_CRC));
    filter.checkCrc = false;
    OpenSections(adapter.path(), filter, 65536);
    CHECK(kernel.section.flags == DMX_IMMEDIATE_START);
}

void TakesPacketsOfSomePidsByTheDemultiplexer() {
    const Adapter adapter;
    OpenTransportStream(adapter.path(), {256, 257, 17}, 65536);
    CHECK(kernel.filters.size() == 1 && kernel.filters[0].pid == 256 && kernel.filters[0].flags == 0);
    CHECK(kernel.filters[0].output == DMX_OUT_TSDEMUX_TAP && kernel.filters[0].input == DMX_IN_FRONTEND);
    CHECK(kernel.orders[2].request == DMX_ADD_PID && kernel.orders[2].value == 257);
    CHECK(kernel.orders[3].value == 17 && kernel.orders.back().request == DMX_START);
    CHECK(CodeOf([&] { OpenTransportStream(adapter.path(), {}, 65536); }) == "NATIVE_DVB_ARGUMENT");
}

void TakesAllByTheRecorder() {
    const Adapter adapter;
    CHECK(OpenTransportStream(adapter.path(), {kPidAll}, 65536).descriptors.size() == 2);
    CHECK(kernel.filters.size() == 1 && kernel.filters[0].pid == 0x2000);
    CHECK(kernel.filters[0].output == DMX_OUT_TS_TAP && kernel.filters[0].flags == DMX_IMMEDIATE_START);
    OpenPes(adapter.path(), 273, 65536);
    CHECK(kernel.filters[1].pid == 273 && kernel.filters[1].output == DMX_OUT_TAP);
}

void AsksForANetInterface() {
    const Adapter adapter;
    CHECK(AddNetInterface(adapter.path(), 257, NetEncapsulation::ule) == "dvb0_3");
    CHECK(kernel.interface.pid == 257 && kernel.interface.feedtype == DVB_NET_FEEDTYPE_ULE);
    RemoveNetInterface(adapter.path(), 3);
    CHECK(kernel.orders.back().request == NET_REMOVE_IF && kernel.orders.back().value == 3);
}

void SaysWhatIsRefused() {
    for (int refused = 1; refused <= 4; ++refused) {
        const Adapter adapter;
        kernel.refuses = refused;
        CHECK(CodeOf([&] {
                  OpenTransportStream(adapter.path(), {256, 257}, 65536);
              }) == "NATIVE_DVB_REFUSED");
        CHECK(static_cast<int>(kernel.orders.size()) == refused);
    }
    CHECK(CodeOf([] { OpenPes({.adapter = 9, .demux = 0, .root = "/nowhere"}, 1, 4096); }) ==
          "NATIVE_DVB_ABSENT");
    CHECK(CodeOf([] { OpenKernelFrontend(250, 0); }) == "NATIVE_DVB_ABSENT");
}

}  // namespace

int main() {
    FiltersSections();
    TakesPacketsOfSomePidsByTheDemultiplexer();
    TakesAllByTheRecorder();
    AsksForANetInterface();
    SaysWhatIsRefused();
    return 0;
}
