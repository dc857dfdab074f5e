// The sender against a bare UDP_SEGMENT loop over packets that are ready in memory, and the exactness of its
// pacing as a receiver sees it. One line of JSON per figure. Ours and the bare loop are measured in turns,
// and a ratio is the median of the turns' own ratios: what a busy neighbour takes, it takes from both.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "flute/src/send_engine.hpp"
#include "packet/src/udp_receiver.hpp"

namespace {

using namespace streamverse;
using namespace streamverse::flute;

constexpr char kLoopback[] = "127.0.0.1";
constexpr char kGroup[] = "239.255.60.1";
constexpr uint16_t kPort = 60'601;
constexpr size_t kFileBytes = size_t{64} << 20;
constexpr uint16_t kSymbolBytes = 1400;
constexpr size_t kPacketBytes = kSymbolBytes + 20;
constexpr int kTurns = 9;
constexpr uint64_t kUnpacedBps = 1'000'000'000'000;

double Median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

[[noreturn]] void Die(const std::string& why) {
    std::fprintf(stderr, "send_bench: %s\n", why.c_str());
    std::exit(1);
}

SendEngineOptions Options(uint64_t rateBps, size_t burstBytesMax) {
    SendEngineOptions options;
    options.rateBps = rateBps;
    options.burstBytesMax = burstBytesMax;
    options.socket.interfaceAddress = kLoopback;
    options.lanes.push_back({"main", 0, 1});
    return options;
}

// An engine whose jobs can be awaited.
class Sender {
 public:
    explicit Sender(uint64_t rateBps, size_t burstBytesMax)
        : engine_(Options(rateBps, burstBytesMax), [this] { changed_.notify_all(); }) {}

    SendEvent Send(SendJob job) {
        engine_.Enqueue("main", std::move(job));
        for (;;) {
            std::unique_lock<std::mutex> lock(mutex_);
            changed_.wait_for(lock, std::chrono::milliseconds(10));
            for (const SendEvent& event : engine_.TakeEvents()) {
                if (event.kind == SendEvent::Kind::kFailed) {
                    Die(event.message);
                }
                if (event.kind == SendEvent::Kind::kSent) {
                    return event;
                }
            }
        }
    }

    SendEngineStats Stats() const { return engine_.Stats(); }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    SendEngine engine_;
};

SendJob FileJob(const std::string& path, uint8_t encodingId, uint32_t repairs) {
    SendJob job;
    job.destination = packet::ParseAddress(kGroup, kPort);
    job.fields.tsi = 1;
    job.fields.toi = 1;
    job.fields.fec = {.encodingId = encodingId,
                      .symbolBytes = kSymbolBytes,
                      .sourceBlockSymbolsMax = 200,
                      .repairSymbolsPerBlock = repairs};
    job.path = path;
    return job;
}

// Wire Gbit/s of a loop that does nothing but hand the kernel runs of packets.
double BareGbps(packet::UdpSender& socket, const std::vector<uint8_t>& packets) {
    const packet::SocketAddress group = packet::ParseAddress(kGroup, kPort);
    const std::atomic<bool> goOn{false};
    const size_t count = packets.size() / kPacketBytes;
    const packet::Run run{&group, packets.data(), count * kPacketBytes, kPacketBytes};
    size_t sent = 0;
    const int64_t begin = packet::MonotonicNs();
    while (sent < kFileBytes / kSymbolBytes) {
        sent += socket.Send({&run, 1}, goOn);
    }
    const auto elapsedNs = static_cast<double>(packet::MonotonicNs() - begin);
    return static_cast<double>(sent * (kPacketBytes + 28)) * 8 / elapsedNs;
}

void MeasureThroughput(const std::string& path) {
    packet::SenderOptions options;
    options.interfaceAddress = kLoopback;
    packet::UdpSender socket(options);
    // As much as the sender has in hand at a time: a block's worth.
    const std::vector<uint8_t> packets(200 * kPacketBytes, 7);
    Sender sender(kUnpacedBps, 65'536);
    const struct {
        const char* name;
        uint8_t encodingId;
        uint32_t repairs;
    } cases[] = {{"no-code", 0, 0}, {"rs-200-210", 5, 10}};
    for (const auto& one : cases) {
        std::vector<double> bare;
        std::vector<double> ours;
        std::vector<double> ratios;
        for (int turn = 0; turn < kTurns; ++turn) {
            bare.push_back(BareGbps(socket, packets));
            const SendEvent event = sender.Send(FileJob(path, one.encodingId, one.repairs));
            ours.push_back(static_cast<double>(event.wireBytes) * 8 / (event.durationMs * 1e6));
            ratios.push_back(ours.back() / bare.back());
        }
        std::printf("{\"name\":\"%s\",\"gbps\":%.3f,\"bareGbps\":%.3f,\"ratio\":%.4f}\n", one.name,
                    Median(ours), Median(bare), Median(ratios));
    }
}

// The rate between the first and the last packet as they arrive, and the most that came above a steady flow.
void MeasurePacing(const std::string& path, uint64_t rateBps, double seconds) {
    constexpr size_t kBurst = 65'536;
    packet::ReceiverOptions options;
    options.receiveBufferBytes = 32 << 20;
    packet::UdpReceiver receiver(options);
    receiver.Join({kGroup, kPort, "", kLoopback});
    Sender sender(rateBps, kBurst);
    const auto bytes =
        static_cast<size_t>(static_cast<double>(rateBps) / 8 * seconds * kSymbolBytes / (kPacketBytes + 28));
    if (::truncate(path.c_str(), static_cast<off_t>(bytes)) != 0) {
        Die("no room for the file");
    }
    std::atomic<bool> done{false};
    uint64_t received = 0;
    int64_t firstNs = 0;
    int64_t lastNs = 0;
    uint64_t firstBytes = 0;
    double excessBytes = 0;
    double level = 0;
    std::thread listener([&] {
        packet::PreferTimeliness(rateBps);
        while (!done) {
            const auto datagrams = receiver.Receive(200);
            const int64_t now = packet::MonotonicNs();
            uint64_t batch = 0;
            for (const auto& datagram : datagrams) {
                batch += datagram.bytes.size() + 28;
            }
            if (batch == 0) {
                continue;
            }
            const double drained = static_cast<double>(rateBps) / 8e9 * static_cast<double>(now - lastNs);
            level = lastNs == 0 ? static_cast<double>(batch)
                                : std::max(0.0, level - drained) + static_cast<double>(batch);
            excessBytes = std::max(excessBytes, level);
            if (firstNs == 0) {
                firstNs = now;
                firstBytes = batch;
            }
            received += batch;
            lastNs = now;
        }
    });
    const SendEvent event = sender.Send(FileJob(path, 0, 0));
    ::usleep(300'000);
    done = true;
    listener.join();
    const double elapsed = static_cast<double>(lastNs - firstNs) / 1e9;
    const double measured = static_cast<double>(received - firstBytes) * 8 / elapsed;
    std::printf(
        "{\"name\":\"pacing\",\"rateBps\":%llu,\"seconds\":%.3f,\"receivedErrorRatio\":%.7f,"
        "\"sentErrorRatio\":%.7f,\"excessBytes\":%.0f,\"burstBytesMax\":%zu,\"lostPackets\":%lld}\n",
        static_cast<unsigned long long>(rateBps), elapsed, measured / static_cast<double>(rateBps) - 1,
        sender.Stats().rateErrorRatio, excessBytes, kBurst,
        static_cast<long long>(event.packets) - static_cast<long long>(receiver.counters().datagrams));
}

}  // namespace

// send_bench [throughput | rateBps seconds]: throughput alone, or pacing alone at another rate.
int main(int argc, char** argv) {
    char path[] = "/dev/shm/send-bench-XXXXXX";
    const packet::Descriptor file(::mkstemp(path));
    const std::string name = path;
    if (!file.valid()) {
        Die("no file in /dev/shm");
    }
    const std::vector<uint8_t> part(1 << 20, 42);
    for (size_t written = 0; written < kFileBytes; written += part.size()) {
        if (::write(file.get(), part.data(), part.size()) != static_cast<ssize_t>(part.size())) {
            ::unlink(path);
            Die("no room for the file");
        }
    }
    if (argc == 2) {
        MeasureThroughput(name);
    } else if (argc == 3) {
        MeasurePacing(name, std::strtoull(argv[1], nullptr, 10), std::atof(argv[2]));
    } else {
        MeasureThroughput(name);
        MeasurePacing(name, 61'300'000, 10);
    }
    ::unlink(path);
    return 0;
}
