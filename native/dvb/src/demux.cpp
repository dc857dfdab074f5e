#include "dvb/src/demux.hpp"

#include <fcntl.h>
#include <linux/dvb/dmx.h>
#include <linux/dvb/net.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#include "dvb/src/dvb_error.hpp"

namespace streamverse::dvb {
namespace {

Descriptor Open(const DemuxPath& path, const std::string& device, int flags) {
    const std::string file = path.root + "/adapter" + std::to_string(path.adapter) + "/" + device;
    Descriptor descriptor(open(file.c_str(), flags | O_NONBLOCK | O_CLOEXEC));
    if (!descriptor.valid()) {
        throw SystemFault(file + " cannot be opened", errno);
    }
    return descriptor;
}

template <typename... Argument>
void Order(const Descriptor& descriptor, const char* what, unsigned long request, Argument... argument) {
    if (ioctl(descriptor.get(), request, argument...) != 0) {
        throw SystemFault(what, errno);
    }
}

Descriptor OpenDemux(const DemuxPath& path, uint32_t bufferBytes) {
    Descriptor demux = Open(path, "demux" + std::to_string(path.demux), O_RDWR);
    Order(demux, "the demultiplexer has no such buffer", DMX_SET_BUFFER_SIZE,
          static_cast<unsigned long>(bufferBytes));
    return demux;
}

void Filter(const Descriptor& demux, uint16_t pid, dmx_output output, uint32_t flags) {
    dmx_pes_filter_params filter{};
    filter.pid = pid;
    filter.input = DMX_IN_FRONTEND;
    filter.output = output;
    filter.pes_type = DMX_PES_OTHER;
    filter.flags = flags;
    Order(demux, "the demultiplexer takes no such filter", DMX_SET_PES_FILTER, &filter);
}

}  // namespace

DemuxReading OpenSections(const DemuxPath& path, const SectionFilter& filter, uint32_t bufferBytes) {
    Descriptor demux = OpenDemux(path, bufferBytes);
    dmx_sct_filter_params order{};
    order.pid = filter.pid;
    std::ranges::copy(filter.value, order.filter.filter);
    std::ranges::copy(filter.mask, order.filter.mask);
    order.flags = DMX_IMMEDIATE_START | (filter.checkCrc ? DMX_CHECK_CRC : 0U);
    Order(demux, "the demultiplexer takes no such filter", DMX_SET_FILTER, &order);
    DemuxReading reading;
    reading.descriptors.push_back(std::move(demux));
    return reading;
}

DemuxReading OpenPes(const DemuxPath& path, uint16_t pid, uint32_t bufferBytes) {
    Descriptor demux = OpenDemux(path, bufferBytes);
    Filter(demux, pid, DMX_OUT_TAP, DMX_IMMEDIATE_START);
    DemuxReading reading;
    reading.descriptors.push_back(std::move(demux));
    return reading;
}

DemuxReading OpenTransportStream(const DemuxPath& path, const std::vector<uint16_t>& pids,
                                 uint32_t bufferBytes) {
    if (pids.empty() || pids.size() > kPidsMax) {
        throw DvbError("NATIVE_DVB_ARGUMENT", "between 1 and 64 PIDs can be read");
    }
    DemuxReading reading;
    if (pids.front() == kPidAll) {
        Descriptor recorder = Open(path, "dvr" + std::to_string(path.demux), O_RDONLY);
        Order(recorder, "the DVR device has no such buffer", DMX_SET_BUFFER_SIZE,
              static_cast<unsigned long>(bufferBytes));
        Descriptor demux = Open(path, "demux" + std::to_string(path.demux), O_RDWR);
        Filter(demux, kPidAll, DMX_OUT_TS_TAP, DMX_IMMEDIATE_START);
        reading.descriptors.push_back(std::move(recorder));
        reading.descriptors.push_back(std::move(demux));
        return reading;
    }
    Descriptor demux = OpenDemux(path, bufferBytes);
    Filter(demux, pids.front(), DMX_OUT_TSDEMUX_TAP, 0);
    for (size_t index = 1; index < pids.size(); ++index) {
        uint16_t pid = pids[index];
        Order(demux, "the demultiplexer takes no further PID", DMX_ADD_PID, &pid);
    }
    Order(demux, "the demultiplexer does not start", DMX_START);
    reading.descriptors.push_back(std::move(demux));
    return reading;
}

std::string AddNetInterface(const DemuxPath& path, uint16_t pid, NetEncapsulation encapsulation) {
    const Descriptor net = Open(path, "net" + std::to_string(path.demux), O_RDWR);
    dvb_net_if order{};
    order.pid = pid;
    order.feedtype = static_cast<uint8_t>(encapsulation);
    Order(net, "the kernel makes no network interface of this PID", NET_ADD_IF, &order);
    return "dvb" + std::to_string(path.adapter) + "_" + std::to_string(order.if_num);
}

void RemoveNetInterface(const DemuxPath& path, uint32_t number) {
    const Descriptor net = Open(path, "net" + std::to_string(path.demux), O_RDWR);
    Order(net, "the network interface stays", NET_REMOVE_IF, static_cast<unsigned long>(number));
}

}  // namespace streamverse::dvb
