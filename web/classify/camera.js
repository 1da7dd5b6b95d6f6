// The webcam: frames one at a time, as fast as they are taken.

export class Camera {
  #video = document.createElement('video');
  /** @type {MediaStream | null} */
  #stream = null;

  get isOn() {
    return this.#stream !== null;
  }

  /** Asks the user for the camera. @throws {DOMException} if there is none, or the user says no */
  async start() {
    this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: 640 }, audio: false });
    this.#video.muted = this.#video.playsInline = true;
    this.#video.srcObject = this.#stream;
    await this.#video.play();
  }

  stop() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = this.#video.srcObject = null;
  }

  /** Calls `work` with the video for each frame, waiting for it, until the camera is stopped. @param {(video: HTMLVideoElement) => Promise<void>} work */
  async run(work) {
    while (this.isOn) {
      await work(this.#video);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }
}
