// sd_notify(3) without libsystemd: one datagram to the socket that NOTIFY_SOCKET names.
#include <napi.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace {

Napi::Error CodedError(Napi::Env env, const char* code, const std::string& message) {
    Napi::Error error = Napi::Error::New(env, message);
    error.Set("code", Napi::String::New(env, code));
    return error;
}

// send(socketPath, state): a leading '@' names the abstract namespace, as systemd writes it.
void Send(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (info.Length() != 2 || !info[0].IsString() || !info[1].IsString()) {
        throw CodedError(env, "NATIVE_NOTIFY_ARGUMENT", "send takes a socket path and a state");
    }
    const std::string path = info[0].As<Napi::String>();
    const std::string state = info[1].As<Napi::String>();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path)) {
        throw CodedError(env, "NATIVE_NOTIFY_ARGUMENT", "the notify socket's path is empty or too long");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path.front() == '@') {
        address.sun_path[0] = '\0';
    }
    const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        throw CodedError(env, "NATIVE_NOTIFY_FAILED", std::strerror(errno));
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    const ssize_t sent = ::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                  reinterpret_cast<const sockaddr*>(&address), length);
    const int failure = errno;
    ::close(descriptor);
    if (sent < 0) {
        throw CodedError(env, "NATIVE_NOTIFY_FAILED", std::strerror(failure));
    }
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
    exports.Set("send", Napi::Function::New(env, Send, "send"));
    return exports;
}

}  // namespace

NODE_API_MODULE(notify, Init)
