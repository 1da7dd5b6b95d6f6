// The webcam, from one start to its end: frames one at a time, as fast as they are taken.

export class Camera {
  #video = document.createElement('video');
  /** @type {MediaStream | null} */
  #stream = null;
  #isStopped = false;
  /** The device went away, or the user took the permission back. */
  isLost = false;

  /** Asks the user for the camera. @throws {DOMException} if there is none, or the user says no */
  async start() {
    this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: 640 }, audio: false });
    if (this.#isStopped) return this.stop(); // while the user was asked
    this.#stream.getVideoTracks()[0].addEventListener('ended', () => {
      this.isLost = true;
      this.stop();
    });
    this.#video.muted = this.#video.playsInline = true;
    this.#video.srcObject = this.#stream;
    return this.#video.play();
  }

  stop() {
    this.#isStopped = true;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = this.#video.srcObject = null;
  }

  /** Calls `work` with the video for each frame, waiting for it, until the camera is stopped. @param {(video: HTMLVideoElement) => Promise<void>} work */
  async run(work) {
    while (!this.#isStopped) {
      try {
        await work(this.#video);
      } catch (error) {
        if (!this.#isStopped) throw error; // else the frame was on its way when the camera was stopped
      }
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }
}
