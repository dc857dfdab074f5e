// How an addon's own thread speaks to JavaScript and ends with it.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "binding/value.hpp"

namespace streamverse::binding {

// Runs `stop` when the environment goes down while the owner is still open: in a worker thread that is
// terminated nobody calls close. Hooks run in the reverse order of their making, so a guard that is made
// after a Doorbell ends the thread before the bell is gone.
class TeardownGuard {
 public:
    TeardownGuard(napi_env env, std::function<void()> stop) : env_(env), stop_(std::move(stop)) {
        napi_add_env_cleanup_hook(env_, Run, this);
    }
    ~TeardownGuard() { Disarm(); }
    TeardownGuard(const TeardownGuard&) = delete;
    TeardownGuard& operator=(const TeardownGuard&) = delete;

    void Disarm() {
        if (std::exchange(armed_, false)) {
            napi_remove_env_cleanup_hook(env_, Run, this);
        }
    }

 private:
    static void Run(void* argument) {
        auto* guard = static_cast<TeardownGuard*>(argument);
        guard->armed_ = false;
        guard->stop_();
    }

    napi_env env_;
    std::function<void()> stop_;
    bool armed_ = true;
};

// Calls `deliver` on the JavaScript thread some time after Ring, once for any number of rings in between.
// Rings after Close, or while the environment goes down, do nothing. Keeps the event loop alive until Close.
class Doorbell {
 public:
    using Deliver = std::function<void(Napi::Env)>;

    Doorbell(Napi::Env env, const char* name, Deliver deliver) : state_(new State{std::move(deliver)}) {
        bell_ = Bell::New(
            env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), name, kQueueMax, 1, state_,
            [](Napi::Env, void*, State* state) { delete state; }, static_cast<void*>(nullptr));
    }
    Doorbell(const Doorbell&) = delete;
    Doorbell& operator=(const Doorbell&) = delete;

    // Any thread, until Close. A full queue is as good: a call is under way already.
    void Ring() { bell_.NonBlockingCall(); }

    // JavaScript thread, after the last Ring. Idempotent.
    void Close() {
        if (std::exchange(open_, false)) {
            // A call that still waits must not find its owner collected.
            state_->deliver = nullptr;
            bell_.Release();
        }
    }

    // The environment takes the bell down itself.
    void Abandon() { open_ = false; }

 private:
    struct State {
        Deliver deliver;
    };
    static void Call(Napi::Env env, Napi::Function, State* state, void*) {
        if (env != nullptr && state != nullptr && state->deliver) {
            state->deliver(env);
        }
    }
    using Bell = Napi::TypedThreadSafeFunction<State, void, Call>;

    static constexpr size_t kQueueMax = 1;
    State* state_;
    Bell bell_;
    bool open_ = true;
};

// Runs `work` on a pool thread and resolves a promise with undefined after `after` has run on the JavaScript
// thread.
class Closing final : public Napi::AsyncWorker {
 public:
    static Napi::Promise Start(Napi::Env env, std::function<void()> work,
                               std::function<void(Napi::Env)> after) {
        auto* closing = new Closing(env, std::move(work), std::move(after));
        const Napi::Promise promise = closing->deferred_.Promise();
        closing->Queue();
        return promise;
    }

 protected:
    void Execute() override { work_(); }
    void OnOK() override {
        after_(Env());
        deferred_.Resolve(Env().Undefined());
    }
    void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
    Closing(Napi::Env env, std::function<void()> work, std::function<void(Napi::Env)> after)
        : Napi::AsyncWorker(env), work_(std::move(work)), after_(std::move(after)), deferred_(env) {}

    std::function<void()> work_;
    std::function<void(Napi::Env)> after_;
    Napi::Promise::Deferred deferred_;
};

// What runs beside JavaScript (its Stop joins its threads), with the bell by which it is heard: started
// together, and ended together, by Close or with the environment.
template <typename Thread>
class ThreadOwner {
 public:
    // Once. `deliver` runs on the JavaScript thread some time after a ring; `make` gets the ring and returns
    // the thread.
    template <typename Make>
    void Start(Napi::Env env, const char* name, Doorbell::Deliver deliver, Make&& make) {
        name_ = name;
        bell_ = std::make_unique<Doorbell>(env, name, std::move(deliver));
        try {
            thread_ = make(std::function<void()>([bell = bell_.get()] { bell->Ring(); }));
        } catch (...) {
            bell_->Close();
            throw;
        }
        guard_ = std::make_unique<TeardownGuard>(env, [this] {
            thread_->Stop();
            bell_->Abandon();
        });
    }

    Thread* operator->() const { return thread_.get(); }
    bool closing() const { return closing_; }

    void RequireOpen(Napi::Env env, const char* code) const {
        if (closing_) {
            throw CodedError(env, code, "the " + name_ + " is closed");
        }
    }

    // Threads may sleep or read, so they are awaited off the JavaScript thread, on which `after` runs at
    // last.
    Napi::Promise Close(Napi::Env env, std::function<void(Napi::Env)> after) {
        closing_ = true;
        return Closing::Start(
            env, [this] { thread_->Stop(); },
            [this, last = std::move(after)](Napi::Env at) {
                guard_->Disarm();
                bell_->Close();
                last(at);
            });
    }

 private:
    std::string name_;
    std::unique_ptr<Doorbell> bell_;
    std::unique_ptr<Thread> thread_;
    std::unique_ptr<TeardownGuard> guard_;
    bool closing_ = false;
};

}  // namespace streamverse::binding
