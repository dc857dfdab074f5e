#include <algorithm>

#include "modem/src/sample_sink.hpp"
#include "packet/src/udp_sender.hpp"

namespace streamverse::modem {

namespace {

constexpr size_t kDatagramBytesMax = 1440;  // whole samples of either format; no fragments on Ethernet

packet::SenderOptions SenderOptionsOf(const UdpOptions& options) {
    packet::SenderOptions sender;
    sender.interfaceAddress = options.interfaceAddress;
    sender.ttl = options.ttl;
    return sender;
}

class UdpSink final : public SampleSink {
 public:
    explicit UdpSink(const UdpOptions& options)
        : destination_(packet::ParseAddress(options.address, options.port)),
          sender_(SenderOptionsOf(options)) {}

    void Open(const std::atomic<bool>&) override {
        Guard([&] { sender_.Prepare(destination_.family()); });
    }

    void Write(std::span<const uint8_t> bytes, const std::atomic<bool>& stop) override {
        const packet::Run run{&destination_, bytes.data(), bytes.size(),
                              std::min(bytes.size(), kDatagramBytesMax)};
        Guard([&] { sender_.Send({&run, 1}, stop); });
    }

 private:
    packet::SocketAddress destination_;
    packet::UdpSender sender_;

    template <typename Work>
    static void Guard(Work&& work) {
        try {
            work();
        } catch (const packet::SystemError& error) {
            throw OutputError(error.what());
        }
    }
};

}  // namespace

std::unique_ptr<SampleSink> MakeUdpSink(const UdpOptions& options) {
    try {
        return std::make_unique<UdpSink>(options);
    } catch (const packet::SystemError& error) {
        throw OutputError(error.what());
    }
}

}  // namespace streamverse::modem
