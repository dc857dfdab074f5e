import {parentPort} from 'node:worker_threads';
import {openPacketReceiver, openPacketSender} from '#native/packet/packet.ts';
import {freeUdpPort} from '#test/helper/free-udp-port.ts';

// A worker through which packets flow and which never closes: whoever started it ends it.
const destination = {group: '239.255.42.3', port: await freeUdpPort()};
const receiver = openPacketReceiver({onBatch: () => parentPort?.postMessage('received')});
receiver.join({...destination, interfaceAddress: '127.0.0.1'});
const sender = openPacketSender({interfaceAddress: '127.0.0.1', rateBps: 50_000_000});
sender.send({destination, bytes: new Uint8Array(10_000_000), lengths: new Uint32Array(10_000).fill(1000)});
