import { connect, type Socket } from "node:net";

/** Read into by every connection: what a callback gets is gone when it returns. */
const readBuffer = Buffer.alloc(64 * 1_024);
const crlf = Buffer.from("\r\n");
const headEnd = Buffer.from("\r\n\r\n");

export interface HttpAnswer {
  readonly status: number;
  /** The body of an answer that `onBody` was not given, that is of any status but 200. */
  readonly text: string;
}

/**
 * HTTP/1.1 over kept connections, without streams, header objects or a buffer per read: hundreds of
 * streams leave time on the load's core. The same for every relay.
 */
export class HttpClient {
  readonly #host: string;
  readonly #hostname: string;
  readonly #port: number;
  readonly #idle: HttpConnection[] = [];

  /** @param url http://host:port */
  constructor(url: string) {
    const { hostname, port, host } = new URL(url);
    this.#host = host;
    this.#port = Number(port);
    this.#hostname = hostname;
  }

  /** Opens connections ahead, as an app that talked to the gateway before has one; older ones may be about to be closed. */
  async warm(connections: number): Promise<void> {
    for (const old of this.#idle.splice(0)) old.close();
    while (this.#idle.length < connections) this.#idle.push(await this.#connect());
  }

  /** Posts `body`; `onBody` sees the bytes of a 200 as they come. @throws Error when the connection breaks. */
  async post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    onBody: (bytes: Buffer) => void,
  ): Promise<HttpAnswer> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-length: ${body.length}\r\n${lines.join("")}\r\n`;
    let connection = this.#idle.pop();
    while (connection?.closed) connection = this.#idle.pop();
    connection ??= await this.#connect();
    const answer = await connection.exchange(Buffer.concat([Buffer.from(head, "latin1"), body]), onBody);
    this.#idle.push(connection);
    return answer;
  }

  #connect(): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const connection: HttpConnection = new HttpConnection(
        connect({
          host: this.#hostname,
          port: this.#port,
          noDelay: true,
          onread: {
            buffer: readBuffer,
            callback: (length) => {
              connection.read(readBuffer.subarray(0, length));
              return true;
            },
          },
        }),
        () => resolve(connection),
        reject,
      );
    });
  }
}

type Exchange = {
  readonly onBody: (bytes: Buffer) => void;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
};

/** One connection, one request at a time. */
class HttpConnection {
  readonly #socket: Socket;
  #exchange: Exchange | undefined;
  #reader: BodyReader | undefined;
  #head = Buffer.alloc(0);
  #status = 0;
  #text = "";
  closed = false;

  constructor(socket: Socket, opened: () => void, failed: (error: Error) => void) {
    this.#socket = socket;
    socket.once("connect", opened);
    socket.on("error", (error) => {
      failed(error);
      this.#fail(error);
    });
    socket.on("close", () => this.#fail(new Error("the connection closed in the middle of an answer")));
  }

  close(): void {
    this.#socket.destroy();
  }

  exchange(request: Buffer, onBody: (bytes: Buffer) => void): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#exchange = { onBody, resolve, reject };
      this.#text = "";
      this.#socket.write(request);
    });
  }

  read(bytes: Buffer): void {
    try {
      const body = this.#reader ? bytes : this.#readHead(bytes);
      if (!body || !this.#reader?.push(body)) return;
      const done = this.#exchange;
      this.#exchange = undefined;
      this.#reader = undefined;
      done?.resolve({ status: this.#status, text: this.#text });
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      this.#socket.destroy();
    }
  }

  /** @returns what of the body came with the end of the head. */
  #readHead(bytes: Buffer): Buffer | undefined {
    this.#head = Buffer.concat([this.#head, bytes]);
    // The empty line behind a last chunk may come after it.
    if (this.#head.indexOf(crlf) === 0) this.#head = this.#head.subarray(crlf.length);
    const end = this.#head.indexOf(headEnd);
    if (end < 0) return undefined;
    const head = this.#head.toString("latin1", 0, end).toLowerCase();
    const rest = this.#head.subarray(end + headEnd.length);
    this.#head = Buffer.alloc(0);
    this.#status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    const onBody =
      this.#status === 200
        ? (part: Buffer) => this.#exchange?.onBody(part)
        : (part: Buffer) => {
            this.#text += part.toString();
          };
    this.#reader = new BodyReader(length === undefined ? undefined : Number(length), onBody);
    return rest;
  }

  #fail(error: Error): void {
    this.closed = true;
    this.#exchange?.reject(error);
    this.#exchange = undefined;
  }
}

/** A body of a known length, or chunked (RFC 9112 §7.1; without trailers). */
class BodyReader {
  readonly #onBody: (bytes: Buffer) => void;
  readonly #chunked: boolean;
  /** Bytes to come of the body, or of this chunk. */
  #left: number;
  /** Bytes to come of the line end behind a chunk. */
  #lineEnd = 0;
  #size = "";

  constructor(length: number | undefined, onBody: (bytes: Buffer) => void) {
    this.#chunked = length === undefined;
    this.#left = length ?? 0;
    this.#onBody = onBody;
  }

  /** @returns true at the body's end. */
  push(bytes: Buffer): boolean {
    let at = 0;
    for (;;) {
      const take = Math.min(this.#left, bytes.length - at);
      if (take > 0) {
        this.#onBody(bytes.subarray(at, at + take));
        this.#left -= take;
        at += take;
        if (this.#left === 0) this.#lineEnd = crlf.length;
      }
      if (this.#left > 0) return false;
      if (!this.#chunked) return true;
      const skip = Math.min(this.#lineEnd, bytes.length - at);
      this.#lineEnd -= skip;
      at += skip;
      if (at === bytes.length) return false;
      const end = bytes.indexOf(0x0a, at);
      if (end < 0) {
        this.#size += bytes.toString("latin1", at);
        return false;
      }
      this.#left = Number.parseInt(this.#size + bytes.toString("latin1", at, end), 16);
      if (Number.isNaN(this.#left)) throw new Error("a chunk of the answer has no size");
      this.#size = "";
      at = end + 1;
      if (this.#left === 0) return true;
    }
  }
}
