// Loopback: what UdpSender sends, UdpReceiver receives, datagram by datagram.
#include <atomic>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "packet/src/udp_receiver.hpp"
#include "packet/src/udp_sender.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::packet;

constexpr char kLoopback[] = "127.0.0.1";
const std::atomic<bool> kGoOn{false};

uint16_t FreePort() {
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    SocketAddress address = ParseAddress(kLoopback, 0);
    CHECK(::bind(socket.get(), address.get(), address.length) == 0);
    CHECK(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length) == 0);
    return ntohs(reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
}

// The lengths that each endpoint received, until `count` came or a second went by in silence.
std::map<EndpointId, std::vector<size_t>> Collect(UdpReceiver& receiver, size_t count) {
    std::map<EndpointId, std::vector<size_t>> lengths;
    for (size_t seen = 0; seen < count;) {
        const auto datagrams = receiver.Receive(1000);
        if (datagrams.empty()) {
            break;
        }
        for (const Datagram& datagram : datagrams) {
            lengths[datagram.endpoint].push_back(datagram.bytes.size());
            for (size_t index = 0; index < datagram.bytes.size(); ++index) {
                CHECK(datagram.bytes[index] == static_cast<uint8_t>(datagram.bytes.size() + index));
            }
        }
        seen += datagrams.size();
    }
    return lengths;
}

std::vector<uint8_t> Bytes(const std::vector<size_t>& lengths) {
    std::vector<uint8_t> bytes;
    for (const size_t length : lengths) {
        for (size_t index = 0; index < length; ++index) {
            bytes.push_back(static_cast<uint8_t>(length + index));
        }
    }
    return bytes;
}

void RunsArriveWhole(bool gro, bool offload) {
    const uint16_t port = FreePort();
    ReceiverOptions options;
    options.gro = gro;
    UdpReceiver receiver(options);
    const EndpointId wanted = receiver.Join({"239.255.77.1", port, "", kLoopback});
    receiver.Join({"239.255.77.2", port, "", kLoopback});  // the same port, another group: nothing of ours
    SenderOptions to;
    to.interfaceAddress = kLoopback;
    to.segmentationOffload = offload;
    UdpSender sender(to);
    const SocketAddress group = ParseAddress("239.255.77.1", port);
    std::vector<size_t> lengths(150, 1300);
    lengths.back() = 17;
    const std::vector<uint8_t> run = Bytes(lengths);
    const std::vector<uint8_t> single = Bytes({900});
    const Run runs[3] = {
        {&group, run.data(), run.size(), 1300}, {&group, single.data(), 900, 900}, {&group, nullptr, 0, 0}};
    CHECK(sender.Send(runs, kGoOn) == 152);
    lengths.push_back(900);
    lengths.push_back(0);
    const auto received = Collect(receiver, lengths.size());
    CHECK(received.size() == 1);
    CHECK(received.at(wanted) == lengths);
    CHECK(sender.counters().datagrams == 152 && receiver.counters().datagrams == 152);
    CHECK(sender.counters().bytes == receiver.counters().bytes);
}

void SourcesAreTold() {
    const uint16_t port = FreePort();
    UdpReceiver receiver({});
    const EndpointId ours = receiver.Join({"232.7.7.7", port, kLoopback, kLoopback});
    const EndpointId foreign = receiver.Join({"232.7.7.7", port, "127.0.0.9", kLoopback});
    SenderOptions to;
    to.interfaceAddress = kLoopback;
    UdpSender sender(to);
    const SocketAddress group = ParseAddress("232.7.7.7", port);
    const std::vector<uint8_t> bytes = Bytes({100});
    const Run run{&group, bytes.data(), 100, 100};
    CHECK(sender.Send({&run, 1}, kGoOn) == 1);
    const auto received = Collect(receiver, 2);
    CHECK(received.contains(ours) && !received.contains(foreign));
}

void DropsAndOversizeAreCounted() {
    const uint16_t port = FreePort();
    ReceiverOptions options;
    options.receiveBufferBytes = 8192;
    options.datagramBytesMax = 1000;
    UdpReceiver receiver(options);
    const EndpointId id = receiver.Join({kLoopback, port, "", ""});
    CHECK(receiver.grantedBufferBytes(id) >= 8192);
    UdpSender sender({});
    const SocketAddress there = ParseAddress(kLoopback, port);
    const std::vector<uint8_t> bytes(1001);
    const Run large{&there, bytes.data(), 1001, 1001};
    CHECK(sender.Send({&large, 1}, kGoOn) == 1);
    CHECK(receiver.Receive(1000).empty());
    CHECK(receiver.counters().truncated == 1);
    const std::vector<uint8_t> flood = Bytes(std::vector<size_t>(500, 900));
    const Run run{&there, flood.data(), flood.size(), 900};
    CHECK(sender.Send({&run, 1}, kGoOn) == 500);
    const size_t kept = Collect(receiver, 500)[id].size();
    CHECK(kept < 500);
    // The kernel tells of drops with the next datagram.
    const Run one{&there, flood.data(), 900, 900};
    CHECK(sender.Send({&one, 1}, kGoOn) == 1);
    CHECK(Collect(receiver, 1)[id].size() == 1);
    CHECK(receiver.counters().kernelDrops == 500 - kept);
}

void NobodyListeningIsNoFailure() {
    const SocketAddress nobody = ParseAddress(kLoopback, FreePort());
    UdpSender sender({});
    const std::vector<uint8_t> bytes(64);
    const Run run{&nobody, bytes.data(), 64, 64};
    for (int round = 0; round < 20; ++round) {
        CHECK(sender.Send({&run, 1}, kGoOn) == 1);
    }
    CHECK(sender.counters().datagrams == 20);
}

void MisuseIsCoded() {
    UdpReceiver receiver({});
    const auto codeOf = [&](const Endpoint& endpoint) -> std::string {
        try {
            receiver.Join(endpoint);
        } catch (const SystemError& error) {
            return error.code();
        }
        return "";
    };
    CHECK(codeOf({"nonsense", 1, "", ""}) == "NATIVE_PACKET_ADDRESS");
    CHECK(codeOf({"", 1, "", ""}) == "NATIVE_PACKET_ADDRESS");
    CHECK(codeOf({"239.1.1.1", 5000, "", "203.0.113.77"}) == "NATIVE_PACKET_INTERFACE");
    CHECK(codeOf({"239.1.1.1", 5000, "::1", kLoopback}) == "NATIVE_PACKET_ADDRESS");
    CHECK(codeOf({kLoopback, 5000, "127.0.0.2", kLoopback}) == "NATIVE_PACKET_ADDRESS");
    CHECK(codeOf({"203.0.113.77", 5000, "", ""}) == "NATIVE_PACKET_SOCKET");
    receiver.Leave(4711);
    receiver.Wake();
    CHECK(receiver.Receive(-1).empty());
    ReceiverOptions bad;
    bad.batchDatagrams = 0;
    CHECK_THROWS(UdpReceiver(bad), SystemError);
}

void Ipv6UnicastArrives() {
    const uint16_t port = FreePort();
    UdpReceiver receiver({});
    EndpointId id = 0;
    try {
        id = receiver.Join({"::1", port, "", ""});
    } catch (const SystemError&) {
        return;  // a host without IPv6
    }
    UdpSender sender({});
    const SocketAddress there = ParseAddress("::1", port);
    const std::vector<uint8_t> bytes = Bytes({500, 500, 3});
    const Run run{&there, bytes.data(), bytes.size(), 500};
    CHECK(sender.Send({&run, 1}, kGoOn) == 3);
    CHECK(Collect(receiver, 3)[id] == (std::vector<size_t>{500, 500, 3}));
}

}  // namespace

int main() {
    for (const bool gro : {false, true}) {
        for (const bool offload : {false, true}) {
            RunsArriveWhole(gro, offload);
        }
    }
    SourcesAreTold();
    DropsAndOversizeAreCounted();
    NobodyListeningIsNoFailure();
    MisuseIsCoded();
    Ipv6UnicastArrives();
    return 0;
}
