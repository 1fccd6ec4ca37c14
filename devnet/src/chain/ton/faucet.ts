import { type Address, Cell, type ShardAccount } from "@ton/core";
import { createShardAccount, type TreasuryContract } from "@ton/sandbox";
import { packMessage } from "./external-message.ts";

const faucetNano = 1_000_000_000_000_000_000n;

/** The faucet with a billion GRAM in it, from nowhere. @param faucet the emulator's wallet, which signs nothing */
export function faucetAccount({ address, init }: TreasuryContract): ShardAccount {
  return createShardAccount({
    workchain: 0,
    address,
    code: init.code as Cell,
    data: init.data as Cell,
    balance: faucetNano,
  });
}

/** The message from outside that makes it pay. */
export function faucetOrder(faucet: TreasuryContract, to: Address, nano: bigint): Cell {
  const body = faucet.createTransfer({
    messages: [
      {
        info: {
          type: "internal",
          ihrDisabled: true,
          bounce: false,
          bounced: false,
          dest: to,
          value: { coins: nano },
          ihrFee: 0n,
          forwardFee: 0n,
          createdAt: 0,
          createdLt: 0n,
        },
        body: Cell.EMPTY,
      },
    ],
    sendMode: 1,
  });
  return packMessage({ info: { type: "external-in", dest: faucet.address, importFee: 0n }, body });
}
